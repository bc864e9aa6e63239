import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { writingObstacle } from './obstacle.mjs'

/** Runs `work` while no other process works under the same lock file. The lock of a process that died is taken over. */
export async function withLock(file, work) {
  const own = `${file}.${process.pid}`
  const mark = `${process.pid} ${birthOf(process.pid)}`
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(own, mark)
  } catch (error) {
    throw writingObstacle(error, dirname(file)) ?? error
  }
  try {
    for (let waiting = false; !take(own, file); ) {
      const holder = read(file)
      if (holder && !isAlive(holder)) {
        breakLock(file, holder)
        continue
      }
      if (!waiting) process.stderr.write('… waiting for another start that is setting up in this folder\n')
      waiting = true
      await delay(200)
    }
    try {
      return await work()
    } finally {
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/** A link appears with its content or not at all. */
function take(own, file) {
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

/** Two may want to break the same lock: whoever moved a live one away by mistake puts it back. */
function breakLock(file, dead) {
  const aside = `${file}.broken.${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  if (read(aside) !== dead) take(aside, file)
  rmSync(aside, { force: true })
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function isAlive(mark) {
  const [pid, birth] = mark.split(' ')
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if (error.code === 'ESRCH') return false
  }
  return birthOf(pid) === birth
}

/** The start time of a process where /proc tells it, so that a pid given to another process since is not taken for the holder. */
function birthOf(pid) {
  const stat = read(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-'
}
