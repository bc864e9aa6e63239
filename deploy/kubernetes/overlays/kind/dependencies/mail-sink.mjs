// Takes every mail, keeps the last thousand in memory and delivers none: GET /dev/mailbox.json has them, newest first, as they came.
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'

const { SMTP_PORT = '1025', HTTP_PORT = '8025' } = process.env
const messages = []

/** As much of SMTP (RFC 5321) as a client needs that is answered with a yes. */
function serve(socket) {
  const say = (line) => socket.write(`${line}\r\n`)
  let to = []
  let mail
  let rest = ''
  const hear = (line) => {
    if (mail !== undefined) {
      if (line !== '.') return void mail.push(line.replace(/^\./, ''))
      messages.unshift({ to, text: mail.join('\n') })
      messages.length = Math.min(messages.length, 1000)
      mail = undefined
      return say('250 kept')
    }
    const word = line.slice(0, 4).toUpperCase()
    if (word === 'MAIL') to = []
    if (word === 'RCPT') to.push(/<([^>]*)>/.exec(line)?.[1] ?? '')
    if (word === 'DATA') {
      mail = []
      return say('354 go on')
    }
    say(word === 'QUIT' ? '221 bye' : '250 yes')
    if (word === 'QUIT') socket.end()
  }
  socket.on('error', () => socket.destroy())
  socket.setEncoding('utf8').on('data', (data) => {
    const lines = (rest + data).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) hear(line)
  })
  say('220 every mail stays here')
}

const smtp = createServer(serve).listen(Number(SMTP_PORT))
const http = createHttpServer((request, response) => {
  const found = request.url === '/dev/mailbox.json'
  response.writeHead(found ? 200 : 404, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(found ? { messages } : {}))
}).listen(Number(HTTP_PORT), () => process.stdout.write(`${JSON.stringify({ smtp: smtp.address()?.port, http: http.address()?.port })}\n`))
process.on('SIGTERM', () => {
  smtp.close()
  http.close()
  process.exit()
})
