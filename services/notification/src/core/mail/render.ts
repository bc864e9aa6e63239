import { readFileSync } from 'node:fs'
import Handlebars from 'handlebars'
import { type Language, languages } from './languages.ts'
import { knowLines } from './quoted-printable.ts'
import { type TemplateName, templateNames } from './template-names.ts'

/** What a template is filled in with. Values are data, never templates: whatever stands in them is shown as it is. */
export type MailFields = Record<string, string | string[][]>

/** A mail without its envelope. */
export interface RenderedMail {
  subject: string
  html: string
  text: string
}

type Fill = (fields: MailFields) => string

const folder = new URL('../../../templates/compiled/', import.meta.url)
// A field that a template asks for and does not get is a fault of ours: better no mail than one with a hole in it.
const options = { strict: true, knownHelpersOnly: true }
const mails = new Map<string, { subject: Fill; html: Fill; text: Fill }>()

/** Reads every template of every language, so that a missing one stops the start and not a mail. Each is compiled when it is first filled in. */
export function warmTemplates(): void {
  for (const name of templateNames) for (const language of languages) mailOf(name, language)
}

/** Fills in a template: escaped in the HTML part; in the subject on one line, whatever the fields contain. */
export function renderMail(name: TemplateName, language: Language, fields: MailFields): RenderedMail {
  const mail = mailOf(name, language)
  return { subject: oneLine(mail.subject(fields)), html: mail.html(fields), text: mail.text(fields) }
}

function mailOf(name: TemplateName, language: Language) {
  const key = `${name}.${language}`
  let mail = mails.get(key)
  if (!mail) {
    const text = readFileSync(new URL(`${key}.txt`, folder), 'utf8')
    const html = readFileSync(new URL(`${key}.html`, folder), 'utf8')
    const end = text.indexOf('\n\n')
    knowLines(html)
    knowLines(text)
    mail = {
      subject: Handlebars.compile(text.slice('Subject: '.length, end), { ...options, noEscape: true }),
      html: withPlainLink(Handlebars.compile(html, options)),
      text: Handlebars.compile(text.slice(end + 2), { ...options, noEscape: true }),
    }
    mails.set(key, mail)
  }
  return mail
}

/** Handlebars writes `=` as an entity, for attributes without quotes. Ours have them, and who cuts a link out of a mail should get a link. */
function withPlainLink(fill: (fields: object) => string): Fill {
  return ({ link, ...fields }) => {
    if (typeof link !== 'string') return fill(fields)
    return fill({ ...fields, link: new Handlebars.SafeString(Handlebars.escapeExpression(link).replaceAll('&#x3D;', '=')) })
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get into a header.
const breaks = /[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g

function oneLine(text: string): string {
  return text.replaceAll(breaks, ' ').trim()
}
