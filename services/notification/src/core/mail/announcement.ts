import type { MailData } from '../../store/schema.ts'
import type { MailFields } from './render.ts'

/** The one template that other services and administrators fill in themselves. */
export const announcement = 'announcement'

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get into a line.
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/
const bounds: Readonly<Record<string, number>> = { title: 200, text: 10_000, action_label: 80, action_url: 2000 }

/** Names the first field that does not fit; undefined where all is well. Links lead to https or into our own pages, and carry no password. */
export function checkAnnouncement(data: MailData, origin: string | undefined): string | undefined {
  for (const [field, value] of Object.entries(data)) {
    const bound = Object.hasOwn(bounds, field) ? bounds[field] : undefined
    if (bound === undefined || [...value].length > bound || control.test(field === 'text' ? value.replaceAll(/[\r\n\t]/g, '') : value))
      return field
  }
  for (const field of ['title', 'text']) if (!data[field]?.trim()) return field
  if (data.action_url === undefined && data.action_label === undefined) return undefined
  if (!data.action_label?.trim()) return 'action_label'
  return isSafeLink(data.action_url ?? '', origin) ? undefined : 'action_url'
}

/** Fields of the template: the text as paragraphs (an empty line between them) of lines. */
export function announcementFields(data: MailData): MailFields {
  const text = (data.text ?? '').replaceAll('\r\n', '\n').replaceAll('\r', '\n').trim()
  const paragraphs = text.split(/\n\s*\n/).map((paragraph) => paragraph.split('\n'))
  return { title: data.title ?? '', text, paragraphs, action_label: data.action_label ?? '', action_url: data.action_url ?? '' }
}

function isSafeLink(link: string, origin: string | undefined): boolean {
  if (!URL.canParse(link) || /\s/.test(link)) return false
  const url = new URL(link)
  return (url.protocol === 'https:' || url.origin === origin) && url.username === '' && url.password === ''
}
