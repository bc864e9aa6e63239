/** A Secret as `kubectl apply` takes it. */
export interface Secret {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly type?: string
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels?: Readonly<Record<string, string>> }
  readonly stringData: Readonly<Record<string, string>>
}

export function secret(namespace: string, name: string, stringData: Readonly<Record<string, string>>): Secret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData }
}
