import { ConfigError, type Rule, readConfig, type Table, type Values } from '@gatehouse/config'
import type { ComposeFile, Container } from './compose-file.ts'

/** What a program asks of its environment. */
export interface Asked {
  readonly variables: Table
  readonly rules: readonly Rule<never>[]
}

/**
 * What is wrong with the environment of a container, by the declarations of the program in it. Secrets come from files, whose contents are `samples`
 * by the name of the secret.
 */
export function environmentProblems(
  file: ComposeFile,
  name: string,
  { variables, rules }: Asked,
  samples: (secret: string) => string | undefined,
): readonly string[] {
  const container = file.services[name]
  if (container === undefined) return [`${name} is not there`]
  const environment = Object.entries(container.environment ?? {}).map(([variable, value]) => [variable, String(value)] as const)
  const unknown = environment.filter(([variable]) => !(variable in variables) && !(variable.replace(/_FILE$/, '') in variables))
  const open = environment.filter(([variable]) => variables[variable]?.secret)
  const read = environment.map(([variable, value]) => {
    const isFile = variable.endsWith('_FILE') && !(variable in variables)
    return isFile ? [variable.replace(/_FILE$/, ''), contentOf(container, value, samples)] : [variable, value]
  })
  const missing = environment.filter(([, value]) => value.startsWith('/run/secrets/') && secretAt(container, value) === undefined)
  return [
    ...unknown.map(([variable]) => `${name}: nobody reads ${variable}`),
    ...open.map(([variable]) => `${name}: ${variable} is a secret, and stands in the file`),
    ...missing.map(([variable, value]) => `${name}: ${variable} names ${value}, which is no secret of it`),
    ...configProblems(variables, Object.fromEntries(read), rules).map((problem) => `${name}: ${problem}`),
  ]
}

function configProblems(variables: Table, env: Record<string, string | undefined>, rules: readonly Rule<never>[]): readonly string[] {
  try {
    readConfig(variables, env, rules as readonly Rule<Values<Table>>[])
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

function secretAt({ secrets = [] }: Container, path: string): string | undefined {
  const found = secrets.find((each) => typeof each !== 'string' && `/run/secrets/${each.target}` === path)
  return typeof found === 'object' ? found.source : undefined
}

function contentOf(container: Container, path: string, samples: (secret: string) => string | undefined): string | undefined {
  const secret = secretAt(container, path)
  return secret === undefined ? undefined : samples(secret)
}
