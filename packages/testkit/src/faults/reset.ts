import type { Socket } from 'node:net'

/**
 * Ends a connection with RST. Where its own end is on its way already, it is closed as it is: Node cannot reset such a socket (EINVAL) and forgets its
 * handle then, which stays open for as long as the process.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
