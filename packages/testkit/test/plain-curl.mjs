// As much of curl as the README uses, for machines that have none: a URL, -H, -d. Prints the body, and fails where the answer is an error.
const headers = new Headers()
let url = ''
let body
for (let [word, ...rest] = process.argv.slice(2); word !== undefined; [word, ...rest] = rest) {
  if (word === '-H') {
    const [name, ...value] = rest.shift()?.split(':') ?? []
    headers.set(name ?? '', value.join(':').trim())
  } else if (word === '-d') body = rest.shift()
  else if (!word.startsWith('-') && url === '') url = word.includes('://') ? word : `http://${word}`
  else throw new TypeError(`curl ${word} is not known here`)
}
const answer = await fetch(url, body === undefined ? { headers } : { method: 'POST', headers, body })
process.stdout.write(await answer.text())
if (!answer.ok) process.exitCode = 22
