/** Decides of one trace in `1 / ratio` that it is recorded. Not by its id, which a browser chooses. */
export function sampleByRatio(ratio: number): () => boolean {
  return () => ratio > 0 && Math.random() < ratio
}
