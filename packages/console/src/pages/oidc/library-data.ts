/** A client by the name that people know. */
export interface NamedClient {
  readonly id: string
  readonly name: string
}

/** What the pages of the library say in the element that comes with them. Their addresses are the library's own: the data tells which page it is. */
export type LibraryData =
  | { readonly page: 'logout'; readonly action: string; readonly xsrf: string; readonly client: NamedClient | null }
  | { readonly page: 'signed-out'; readonly client: NamedClient | null }
  | {
      readonly page: 'device'
      readonly action: string
      readonly xsrf: string
      readonly userCode: string | null
      readonly problem: string | null
    }
  | {
      readonly page: 'device-confirm'
      readonly action: string
      readonly xsrf: string
      readonly client: NamedClient
      readonly userCode: string
    }
  | { readonly page: 'device-done'; readonly client: NamedClient | null }
  | {
      readonly page: 'error'
      readonly problem: { readonly error: string; readonly description: string | null; readonly traceId: string | null }
    }

const text = document.getElementById('gatehouse-oidc')?.textContent ?? ''
const path = location.pathname

/** What came with the page; nothing once the person went on to another one. */
export function libraryDataAt(now: string): LibraryData | undefined {
  return text !== '' && now === path ? (JSON.parse(text) as LibraryData) : undefined
}
