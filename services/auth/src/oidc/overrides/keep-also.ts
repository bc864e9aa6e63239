/** Has the library store one more member of a model. */
export function keepAlso(model: { IN_PAYLOAD: string[] }, member: string): void {
  const names = [...model.IN_PAYLOAD, member]
  Object.defineProperty(model, 'IN_PAYLOAD', { configurable: true, get: () => names })
}
