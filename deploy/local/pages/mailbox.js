const at = (id) => document.getElementById(id)
let shown = ''
let last = ''

function show(mail) {
  shown = mail.id
  at('mail').hidden = false
  at('subject').textContent = mail.subject
  at('from').textContent = mail.from
  at('to').textContent = mail.to.join(', ')
  at('time').textContent = new Date(mail.receive_time).toLocaleString()
  at('html').srcdoc = `<base target="_blank">${mail.html || '<pre></pre>'}`
  at('text').textContent = mail.text
  at('headers').textContent = Object.entries(mail.headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
  for (const button of document.querySelectorAll('li button')) button.setAttribute('aria-current', String(button.dataset.id === shown))
}

function list(messages) {
  at('empty').hidden = messages.length > 0
  at('list').replaceChildren(
    ...messages.map((mail) => {
      const button = document.createElement('button')
      button.dataset.id = mail.id
      button.setAttribute('aria-current', String(mail.id === shown))
      const subject = document.createElement('strong')
      subject.textContent = mail.subject
      const to = document.createElement('span')
      to.textContent = `${mail.to.join(', ')} · ${new Date(mail.receive_time).toLocaleTimeString()}`
      button.append(subject, to)
      button.addEventListener('click', () => show(mail))
      const item = document.createElement('li')
      item.append(button)
      return item
    }),
  )
  if (shown === '' && messages.length > 0) show(messages[0])
}

async function look() {
  try {
    const text = await (await fetch('/dev/mailbox.json')).text()
    if (text !== last) list(JSON.parse(text).messages)
    last = text
  } finally {
    setTimeout(look, 1000)
  }
}
void look()
