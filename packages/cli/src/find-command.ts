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
  if (!first) throw new CommandProblem(noCommand(all, words))
  const named = called.find(({ service }) => service === rest[0])
  if (named && (called.length > 1 || !isOperand(named, rest))) return [withArguments(named, rest.slice(1))]
  if (first.command.forEach) {
    const services = called.map(({ service }) => service).join(' | ')
    return called.map((each) => withArguments(each, rest, `${services}, or nothing for all of them`))
  }
  if (called.length === 1) return [withArguments(first, rest)]
  const isAnother = all.some(({ service }) => service === rest[0])
  const question = isAnother ? `${rest[0]} has no such command.` : 'Of which service?'
  throw new CommandProblem(`${question} gatehouse ${first.command.name} ${called.map(({ service }) => service).join(' | ')}`)
}

// `workload-keys create auth --jwks …` makes a key named auth: a command of one service that takes a name, and was given no other.
function isOperand({ command: { usage = '' } }: Owned, [, next]: readonly string[]): boolean {
  return /^NAME\b/.test(usage) && (next === undefined || next.startsWith('-'))
}

// A word that nobody reads is a mistyped one: whoever asks for `doctor usr` or `keys list --now` is told, and nothing is done.
function withArguments(owned: Owned, args: readonly string[], none = 'nothing more'): Called {
  const { name, usage } = owned.command
  const flags = new Set(usage?.match(/--[a-z-]+/g))
  const stray = args.find((arg) => (arg.startsWith('--') ? !flags.has(arg.replace(/=.*/s, '')) : usage === undefined))
  if (stray === undefined) return { ...owned, args }
  throw new CommandProblem(`What is "${stray}"? gatehouse ${name} takes ${usage ?? none}.`)
}

// Whoever remembers half of a command is told the other half.
function noCommand(all: readonly Owned[], words: readonly string[]): string {
  const [first] = words
  if (first === undefined) return 'Which command?'
  const said = `There is no command "${words.join(' ')}"`
  if (first === 'backup' || first === 'restore')
    return `${said}: Postgres is backed up with its own tools. docs/operations.md, "Backing up" and "Restoring", has the lines, which a test runs.`
  const begun = [...new Set(all.map(({ command }) => command.name).filter((name) => name.startsWith(`${first} `)))]
  return begun.length === 0 ? `${said}: gatehouse --help lists them.` : `${said}: there are ${begun.join(', ')}.`
}

/** The commands that begin as these words do, or go on from them; all of them where none does. */
export function likeThese(all: readonly Owned[], words: readonly string[]): readonly Owned[] {
  const like = all.filter(({ command }) => command.name.split(' ').every((word, i) => i >= words.length || words[i] === word))
  return like.length === 0 ? all : like
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
