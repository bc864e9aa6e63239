import pg from 'pg'

/** What the driver knows of a connection, beyond its types. */
type Connected = pg.PoolClient & {
  readonly host: string
  readonly port: number
  readonly ssl: boolean | object
  readonly sslNegotiation: string
  readonly processID: number
  readonly secretKey: number
}

type Canceller = pg.Connection & {
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
}

const patienceMs = 5000

/**
 * Asks the server to stop what it does for this connection, over a connection of its own (PostgreSQL protocol, "Canceling Requests in Progress"), which
 * is encrypted where the first one is. Settles when the request can meet no later statement, because the server has passed it on or never gets it; false
 * when that is not certain.
 */
export function cancelStatement(client: pg.PoolClient): Promise<boolean> {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as Connected
  const connection = new pg.Connection({ ssl, sslNegotiation } as pg.ConnectionConfig) as Canceller
  const { promise, resolve } = Promise.withResolvers<boolean>()
  let asked = false
  const ask = (): void => {
    asked = true
    connection.cancel(processID, secretKey)
  }
  const giveUp = (): void => {
    resolve(!asked)
    connection.stream.destroy()
  }
  const timer = setTimeout(giveUp, patienceMs)
  connection.once('connect', () => {
    if (!ssl) ask()
    else if (sslNegotiation !== 'direct') connection.requestSsl()
  })
  connection.once('sslconnect', ask)
  connection.on('error', giveUp)
  // The server answers nothing: it closes.
  connection.once('end', () => {
    clearTimeout(timer)
    resolve(true)
  })
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`)
  else connection.connect(port, host)
  return promise
}
