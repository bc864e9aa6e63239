import { readFileSync } from 'node:fs'
import type { Variable } from './variables.ts'

/** Variables by their names in the environment. */
export type Table = Readonly<Record<string, Variable<unknown>>>

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<S>

/** The values of a table, under the variables' names in camel case: `GRPC_PORT` is `grpcPort`. */
export type Values<T extends Table> = { readonly [K in keyof T & string as CamelCase<K>]: T[K] extends Variable<infer V> ? V : never }

/** What has to hold between values: answers a sentence, or several, where it does not. */
export type Rule<V> = (values: V) => string | readonly string[] | undefined

/** The environment does not hold what the table asks for. */
export class ConfigError extends Error {
  /** One sentence for each problem; none of them shows a secret. */
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((each) => `  - ${each}`).join('\n')}`,
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}

// Values that stand in examples and tutorials; whoever runs with one of them has no secret.
const known =
  /^(?:secret|password|changeme|change-me|default|example|test|admin|postgres|gatehouse|letmein)|^(.)\1+$|^(?:0123456789|abcdefghij|1234567890)/i

/**
 * Reads the variables of `table` from `env`. `NAME_FILE` gives the value of `NAME` (without the line break at its end).
 * Every rule is checked, but for those that look at a value which is missing or wrong itself.
 * @throws {@link ConfigError} with every problem at once.
 */
export function readConfig<T extends Table>(
  table: T,
  env: Readonly<Record<string, string | undefined>>,
  rules: readonly Rule<Values<T>>[] = [],
): Values<T> {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  const production = (env.GATEHOUSE_MODE ?? 'production') === 'production'
  for (const [name, variable] of Object.entries(table)) {
    try {
      const text = lookUp(name, env)
      if (text !== undefined) {
        if (variable.secret && production && (isMonotonous(text) || text.split(',').some(isWeak)))
          throw new Error('is a default or weak secret, which production mode refuses')
        values[camelCase(name)] = variable.parse(text)
      } else if (variable.fallback) values[camelCase(name)] = variable.fallback.value
      else throw new Error(`is missing: ${variable.about}`)
    } catch (error) {
      problems.push(`${name} ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  problems.push(...broken(rules, values as Values<T>, new Set(Object.keys(table).map(camelCase))))
  if (problems.length > 0) throw new ConfigError(problems)
  return values as Values<T>
}

// A rule that asks for a value that could not be read has nothing to say.
function broken<V extends object>(rules: readonly Rule<V>[], values: V, names: ReadonlySet<string>): string[] {
  const unread = new Error('not read')
  const guarded = new Proxy(values, {
    get(target, name) {
      if (typeof name === 'string' && names.has(name) && !Object.hasOwn(target, name)) throw unread
      return Reflect.get(target, name)
    },
  })
  return rules.flatMap((rule) => {
    try {
      return rule(guarded) ?? []
    } catch (error) {
      if (error === unread) return []
      throw error
    }
  })
}

function lookUp(name: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const file = env[`${name}_FILE`]
  if (file !== undefined && file !== '') {
    if (env[name] !== undefined && env[name] !== '') throw new Error(`and ${name}_FILE are both set`)
    try {
      return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    } catch (error) {
      throw new Error(`cannot be read from ${file}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`)
    }
  }
  const value = env[name]
  return value === '' ? undefined : value
}

// Sixteen random hexadecimal digits have ten different ones; a key of one byte over and over has four letters in base64 at most.
function isMonotonous(text: string): boolean {
  return new Set(text.replaceAll('=', '')).size < 6
}

function isWeak(value: string): boolean {
  if (!URL.canParse(value)) return known.test(value)
  const { password, username } = new URL(value)
  return password === '' || password === username || known.test(decodeURIComponent(password))
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}
