import { serviceNames } from '@gatehouse/local'
import pg from 'pg'

/** Asks a database of a server over a connection of its own; the URL is a superuser's. */
export async function asSuperuser<T>(url: string, act: (client: pg.Client) => Promise<T>, database = 'gatehouse'): Promise<T> {
  const client = new pg.Client(url.replace(/\/postgres$/, `/${database}`))
  client.on('error', () => {})
  await client.connect()
  try {
    return await act(client)
  } finally {
    await client.end()
  }
}

/** Whether no service has an event that no broker has confirmed. */
export function allPublished(url: string): Promise<boolean> {
  const counts = serviceNames.map((name) => `(select count(*) from gatehouse_${name}.outbox where published_time is null)`)
  return asSuperuser(url, async (client) => {
    const { rows } = await client.query<{ n: string }>(`select ${counts.join(' + ')} as n`)
    return Number(rows[0]?.n) === 0
  })
}
