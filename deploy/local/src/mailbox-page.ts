import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Mailbox } from './mailbox.ts'

const asset = (name: string) => readFileSync(new URL(`../pages/${name}`, import.meta.url))

const files: Readonly<Record<string, readonly [type: string, content: Buffer]>> = {
  '/dev/mailbox': ['text/html; charset=utf-8', asset('mailbox.html')],
  '/dev/mailbox.js': ['text/javascript; charset=utf-8', asset('mailbox.js')],
  '/dev/mailbox.css': ['text/css; charset=utf-8', asset('mailbox.css')],
}

/** Mails are shown in a sandboxed frame without scripts; their links may open a tab of their own. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

/** Answers `/dev/mailbox`, the page, and `/dev/mailbox.json`, `{messages: […]}` with the newest first; DELETE on the latter forgets all mails. */
export function answerMailbox(request: IncomingMessage, response: ServerResponse, path: string, mailbox: Mailbox): void {
  if (path === '/dev/mailbox.json') {
    if (request.method === 'DELETE') mailbox.clear()
    response.writeHead(200, { ...headers, 'content-type': 'application/json; charset=utf-8' })
    return void response.end(JSON.stringify({ messages: mailbox.messages }))
  }
  const [type, content] = files[path] ?? ['text/plain; charset=utf-8', 'There is no such page.\n']
  response.writeHead(path in files ? 200 : 404, { ...headers, 'content-type': type })
  response.end(content)
}
