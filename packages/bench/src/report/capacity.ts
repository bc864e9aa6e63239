import type { Entry, Row } from '../results.ts'
import { shown } from './numbers.ts'

export const markers = { begin: '<!-- capacity -->', end: '<!-- /capacity -->' }

/** What people do, which nobody can measure for somebody else: change it here, and the table follows. */
const people = {
  /** Of all people, on a day. */
  activeShare: 0.1,
  /** Of a day, in its busiest hour; and how far the busiest second stands above that hour. */
  busiestHourShare: 0.15,
  burst: 2,
  /** For each active person on a day. */
  signIns: 1,
  refreshes: 24,
  reads: 200,
  events: 3,
  mails: 0.3,
}

/** A processor is asked for half of what it does at most: the rest is for deployments, failures and what was not foreseen. */
const busyShare = 0.5
const coresOfReplica = 2
/** For the loss of one while another is replaced. */
const leastReplicas = 3
const sizes = [1e6, 1e7, 1e8]
/** The largest table that was measured. */
const measuredPeople = 1e7

/** The arithmetic of capacity as a Markdown table, from the figures that are kept. Throws where one is missing. */
export function capacityTable(entries: readonly Entry[]): string {
  const rows = entries.filter((entry): entry is Row => 'figure' in entry)
  const row = (name: string, what: string): Row => {
    const found = rows.find((each) => each.name === name && each.what === what)
    if (!found) throw new TypeError(`there is no figure of ${name}, ${what}`)
    return found
  }
  const of = {
    signIns: row('sign-in', 'sign-ins').figure,
    refreshes: row('refresh', 'refreshes, one replica of auth on one core').figure,
    reads: row('get-user', '128 in flight').figure,
    events: row('relay', 'events, by themselves').figure,
    mails: row('mail', 'mails of a backlog of events').figure,
  }
  const dataMb = Number(row('growth', 'GetUser, uniform keys, 10,000,000 people, p99').conditions.data_mb)
  const bytesOfPerson = (dataMb * 2 ** 20) / measuredPeople

  const perSecond = (count: number, each: number) => (count * people.activeShare * each * people.busiestHourShare * people.burst) / 3600
  const coresFor = (count: number, what: keyof typeof of) => perSecond(count, people[what]) / of[what] / busyShare
  const replicas = (cores: number) => Math.max(leastReplicas, Math.ceil(cores / coresOfReplica))
  const auth = (count: number) => coresFor(count, 'signIns') + coresFor(count, 'refreshes')
  const lines: readonly (readonly [string, (count: number) => number, string])[] = [
    ['sign-ins in the busiest second', (count) => perSecond(count, people.signIns), `${shown(of.signIns)}/s on a core`],
    ['refreshes', (count) => perSecond(count, people.refreshes), `${shown(of.refreshes)}/s on a core`],
    ['`GetUser` of other services', (count) => perSecond(count, people.reads), `${shown(of.reads)}/s on a core`],
    ['events', (count) => perSecond(count, people.events), `${shown(of.events)}/s of one relay`],
    ['mails', (count) => perSecond(count, people.mails), `${shown(of.mails)}/s of one replica`],
    ['cores of auth', auth, 'sign-ins and refreshes, half busy'],
    ['replicas of auth', (count) => replicas(auth(count)), `of ${coresOfReplica} cores, ${leastReplicas} at least`],
    ['cores of user', (count) => coresFor(count, 'reads'), 'half busy'],
    ['replicas of user', (count) => replicas(coresFor(count, 'reads')), `of ${coresOfReplica} cores, ${leastReplicas} at least`],
    [
      'gigabytes of people',
      (count) => (count * bytesOfPerson) / 2 ** 30,
      `${shown(bytesOfPerson)} bytes a person with indexes, as the growth benchmark makes them`,
    ],
    [
      'databases of that size',
      (count) => Math.ceil(count / measuredPeople),
      `${shown(measuredPeople)} people in one are measured, more are not`,
    ],
  ]
  return [
    `| | ${sizes.map((size) => `${shown(size / 1e6)} million`).join(' | ')} | from |`,
    '| --- | --- | --- | --- | --- |',
    ...lines.map(([what, count, from]) => `| ${what} | ${sizes.map((size) => shown(count(size))).join(' | ')} | ${from} |`),
    '',
    `Assumed: ${shown(people.activeShare * 100)} % of all people are active on a day, ${shown(people.busiestHourShare * 100)} % of the day is in its busiest hour, and the busiest second is ${shown(people.burst)} times that hour. An active person signs in ${shown(people.signIns)} time a day,`,
    `refreshes ${shown(people.refreshes)} times (four hours of use), is asked about ${shown(people.reads)} times, and causes ${shown(people.events)} events and ${shown(people.mails)} mails.`,
  ].join('\n')
}

/** The page with the table in its place. Throws where there is no place for it. */
export function withCapacity(page: string, table: string): string {
  const begin = page.indexOf(markers.begin)
  const end = page.indexOf(markers.end)
  if (begin === -1 || end < begin) throw new TypeError(`the page has no ${markers.begin} … ${markers.end}`)
  return `${page.slice(0, begin + markers.begin.length)}\n${table}\n${page.slice(end)}`
}
