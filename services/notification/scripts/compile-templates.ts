import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// The package carries no types.
type Mjml = (
  source: string,
  options: {
    filePath: string
    ignoreIncludes: boolean
    includePath: string
    keepComments: boolean
    fonts: object
    validationLevel: 'strict'
  },
) => Promise<{ html: string }>

const mjml = createRequire(import.meta.url)('mjml') as Mjml
const folder = fileURLToPath(new URL('../templates/', import.meta.url))
const target = 'services/notification/templates/compiled'

/** Writes the compiled templates below `root`, and answers their folder there. */
export async function writeTemplates(root: string): Promise<string> {
  mkdirSync(join(root, target), { recursive: true })
  for (const [path, content] of await compileTemplates()) writeFileSync(join(root, path), content)
  return target
}

/**
 * Makes the mails that the notification service fills in at run time: for each template and language an HTML part and a text part, whose first
 * line is the subject. `[[key]]` in a source is a text of the language; `{{field}}` stays and is filled in, escaped, by Handlebars.
 * Answers files by their path below the repository's root; writes nothing.
 */
export async function compileTemplates(): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const file of readdirSync(`${folder}strings`).sort()) {
    const language = file.replace('.json', '')
    const { common, ...templates } = JSON.parse(readFileSync(`${folder}strings/${file}`, 'utf8')) as Record<string, Record<string, string>>
    for (const [name, own] of Object.entries(templates)) {
      const texts = { lang: language, ...common, ...own }
      files.set(`${target}/${name}.${language}.html`, await html(name, texts))
      files.set(`${target}/${name}.${language}.txt`, spell(readFileSync(`${folder}${name}.txt`, 'utf8'), texts, name))
    }
  }
  return files
}

async function html(name: string, texts: Record<string, string>): Promise<string> {
  const filePath = `${folder}${name}.mjml`
  // Includes are resolved by mjml, so the texts go in afterwards: they are escaped as HTML, and mjml never reads them as its own markup.
  const options = {
    filePath,
    ignoreIncludes: false,
    includePath: folder,
    keepComments: false,
    fonts: {},
    validationLevel: 'strict',
  } as const
  const { html } = await mjml(readFileSync(filePath, 'utf8'), options)
  const escaped = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, text.replaceAll(/[<>]/g, (c) => (c === '<' ? '&lt;' : '&gt;'))]),
  )
  return spell(html, escaped, name)
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{2,}/g, '\n')
    .trim()
    .concat('\n')
}

function spell(source: string, texts: Record<string, string>, name: string): string {
  return source.replaceAll(/\[\[(\w+)\]\]/g, (_, key: string) => {
    const text = texts[key]
    if (text === undefined) throw new Error(`template ${name} has no text "${key}" in "${texts.lang}"`)
    return text
  })
}
