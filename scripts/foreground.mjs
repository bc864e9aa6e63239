import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { Obstacle } from './obstacle.mjs'

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Runs a program with our terminal and takes over its exit code, or the signal that ended it.
 * In a terminal Ctrl-C reaches it without us, so we only wait for its clean-up; elsewhere we pass SIGINT on, once, although npm may send it twice.
 */
export async function inForeground(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: 'inherit' })
  const inTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  const lastSent = new Map()
  const handlers = forwarded.map((signal) => {
    const handler = () => {
      const repeated = Date.now() - (lastSent.get(signal) ?? 0) < 500
      lastSent.set(signal, Date.now())
      if (!repeated && !(signal === 'SIGINT' && inTerminal)) child.kill(signal)
    }
    process.on(signal, handler)
    return [signal, handler]
  })
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Obstacle(`${command} could not be started (${error.code}).`)))
    child.once('exit', (...how) => resolve(how))
  })
  for (const [name, handler] of handlers) process.off(name, handler)
  if (signal) process.kill(process.pid, signal)
  else process.exitCode = code
}

/** Runs a program in silence and answers with what it said and how it ended. A signal to us ends it, and us. */
export async function inSilence(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-200_000)
    })
  }
  let ended
  const handlers = forwarded.map((signal) => {
    const handler = () => {
      ended = signal
      child.kill(signal)
    }
    process.on(signal, handler)
    return [signal, handler]
  })
  try {
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
    if (ended) throw new Obstacle('Stopped before everything was set up; the next start goes on from here.', 128 + constants.signals[ended])
    return { code, output }
  } finally {
    for (const [name, handler] of handlers) process.off(name, handler)
  }
}
