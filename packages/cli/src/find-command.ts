import { type Command, CommandProblem } from './index.ts'

/** A command and the service that has it. */
export interface Owned {
  readonly service: string
  readonly command: Command
}

/** A command that is called. */
export type Called = Owned & { readonly args: readonly string[] }

/**
 * The command that the words call, and what is left of them. Commands that several services have (`migrate`) take the service's name behind their own,
 * unless one service is all there is, or the command is one that runs for each.
 * @throws CommandProblem when there is no such command.
 */
export function findCommands(all: readonly Owned[], words: readonly string[]): readonly Called[] {
  const matches = all.filter(({ command }) => command.name.split(' ').every((word, i) => words[i] === word))
  const longest = Math.max(0, ...matches.map(({ command }) => command.name.split(' ').length))
  const called = matches.filter(({ command }) => command.name.split(' ').length === longest)
  const rest = words.slice(longest)
  const [first] = called
  if (!first) throw new CommandProblem(words.length === 0 ? 'Which command?' : `There is no command "${words.join(' ')}".`)
  const named = called.find(({ service }) => service === rest[0])
  if (named) return [withArguments(named, rest.slice(1))]
  if (called.length === 1 || first.command.forEach) return called.map((each) => withArguments(each, rest))
  const isAnother = all.some(({ service }) => service === rest[0])
  const question = isAnother ? `${rest[0]} has no such command.` : 'Of which service?'
  throw new CommandProblem(`${question} gatehouse ${first.command.name} ${called.map(({ service }) => service).join(' | ')}`)
}

// A word that nobody reads is a mistyped one: whoever asks for `doctor usr` or `keys list --now` is told, and nothing is done.
function withArguments(owned: Owned, args: readonly string[]): Called {
  const { name, usage } = owned.command
  const flags = new Set(usage?.match(/--[a-z-]+/g))
  const stray = args.find((arg) => (arg.startsWith('--') ? !flags.has(arg.replace(/=.*/s, '')) : usage === undefined))
  if (stray === undefined) return { ...owned, args }
  const takes = usage === undefined ? 'takes nothing more' : `takes ${usage}`
  throw new CommandProblem(`What is "${stray}"? gatehouse ${name} ${takes}.`)
}

/** The list of all commands, for a person. */
export function usage(all: readonly Owned[]): string {
  const shared = new Map<string, string[]>()
  for (const { service, command } of all) shared.set(command.name, [...(shared.get(command.name) ?? []), service])
  const rows = new Map<string, string>()
  for (const { command } of all) {
    const services = shared.get(command.name) ?? []
    const which = services.length < 2 ? '' : command.forEach ? ` [${services.join('|')}]` : ` ${services.join('|')}`
    rows.set(`gatehouse ${command.name}${which}${command.usage ? ` ${command.usage}` : ''}`, command.summary)
  }
  const width = Math.max(...[...rows.keys()].map((row) => row.length))
  return [...rows].map(([row, summary]) => `  ${row.padEnd(width)}  ${summary}`).join('\n')
}
