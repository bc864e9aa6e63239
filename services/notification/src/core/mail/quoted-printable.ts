import { encode, wrap } from 'nodemailer/lib/qp'

const lineBreak = /\r\n?|\n/
const known = new Map<string, string>()

/** Encodes the lines of a template once and for all. Only those: what is filled in may be a secret, and is kept nowhere. */
export function knowLines(template: string): void {
  for (const line of template.split(lineBreak)) if (!line.includes('{{')) known.set(line, encodeLine(line))
}

/** A text as RFC 2045 section 6.7 writes it: ASCII, and no line longer than 76 characters. */
export function quotedPrintable(text: string): string {
  return text
    .split(lineBreak)
    .map((line) => known.get(line) ?? encodeLine(line))
    .join('\r\n')
}

const encodeLine = (line: string): string => wrap(encode(line))
