import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where this machine gets its Debian packages from, and the key rings it trusts for them. */
export type DebianMirror = { readonly uri: string; readonly keyrings: readonly string[] }

type Entry = { readonly uris: readonly string[]; readonly suites: readonly string[]; readonly signedBy: readonly string[] }

/** The first Debian archive (not its security archive) in the machine's apt sources; undefined when there is none. */
export async function debianMirror(aptFolder = '/etc/apt'): Promise<DebianMirror | undefined> {
  const parts = join(aptFolder, 'sources.list.d')
  const names = (await readdir(parts).catch(() => [])).sort()
  const entries: Entry[] = parseList(await readFile(join(aptFolder, 'sources.list'), 'utf8').catch(() => ''))
  for (const name of names) {
    if (name.endsWith('.sources')) entries.push(...parseDeb822(await readFile(join(parts, name), 'utf8')))
    if (name.endsWith('.list')) entries.push(...parseList(await readFile(join(parts, name), 'utf8')))
  }
  for (const { uris, suites, signedBy } of entries) {
    if (suites.every((suite) => suite.includes('security'))) continue
    const uri = uris.find((candidate) => /^(mirror\+)?https?:\/\/.*\/debian\/?$/.test(candidate))
    if (uri) return { uri, keyrings: signedBy.filter((ring) => ring.startsWith('/')) }
  }
  return undefined
}

/** One line per archive: `deb [signed-by=/a,/b] URI SUITE COMPONENT…` (sources.list(5)). */
function parseList(text: string): Entry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)/.exec(line)
    if (!match?.[2] || !match[3]) return []
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(match[1] ?? '')?.[1]?.split(',') ?? []
    return [{ uris: [match[2]], suites: [match[3]], signedBy }]
  })
}

/** Stanzas of `Field: values`, continued by lines that begin with a blank. */
function parseDeb822(text: string): Entry[] {
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const fields = new Map<string, string[]>()
      for (const [, name, value] of stanza.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
        if (name && value) fields.set(name.toLowerCase(), value.split(/\s+/).filter(Boolean))
      }
      const field = (name: string): string[] => fields.get(name) ?? []
      if (!field('types').includes('deb') || field('enabled')[0] === 'no') return []
      return [{ uris: field('uris'), suites: field('suites'), signedBy: field('signed-by') }]
    })
}
