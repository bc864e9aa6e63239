type Metadata = Readonly<Record<string, string>>

/** Refusals that the form knows better, by reason. */
export const refusals = {
  CLIENT_METADATA_INVALID: ({ field = '', problem = '' }: Metadata) => `${field} ${problem}.`,
  ETAG_MISMATCH: 'It was changed elsewhere meanwhile. Please load the page again.',
}
