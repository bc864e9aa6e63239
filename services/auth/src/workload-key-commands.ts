import { parseArgs } from 'node:util'
import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { addWorkloadKey, listWorkloadKeys, retireWorkloadKey, rotateWorkloadKey, WorkloadKeysRefused } from '@gatehouse/identity'
import { print } from '@gatehouse/service'

type Given = { readonly words: readonly string[]; readonly jwksFile: string; readonly keyFile: string; readonly last: boolean }

/** A command over key files: it takes so many words and these flags, and reads no environment. */
function command(name: string, usage: string, summary: string, act: (given: Given) => Promise<void>): Command {
  const takesWord = !usage.startsWith('--')
  return {
    name,
    usage,
    summary,
    async run(args) {
      const { positionals: words, values } = parsed(args)
      const { jwks: jwksFile, key: keyFile = '', last = false } = values
      if (words.length !== (takesWord ? 1 : 0) || jwksFile === undefined || (usage.includes('--key') && keyFile === ''))
        throw new CommandProblem(`gatehouse ${name} takes ${usage}.`)
      try {
        await act({ words, jwksFile, keyFile, last })
      } catch (error) {
        throw error instanceof WorkloadKeysRefused ? new CommandFailed(`${error.message}.`) : error
      }
    },
  }
}

function parsed(args: readonly string[]) {
  try {
    const options = { jwks: { type: 'string' }, key: { type: 'string' }, last: { type: 'boolean' } } as const
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    throw new CommandProblem(error instanceof Error ? error.message : String(error))
  }
}

/** What an operator does with the keys by which workloads say who they are. */
export const workloadKeyCommands: readonly Command[] = [
  command(
    'workload-keys create',
    'NAME --jwks FILE --key FILE',
    'makes a key of a workload: the public half into the JWKS of all, the private one into a new file',
    async ({ words: [name = ''], jwksFile, keyFile }) => print(`${await addWorkloadKey(name, { jwksFile, keyFile })} is a key of ${name}`),
  ),
  command(
    'workload-keys rotate',
    '--jwks FILE --key FILE',
    'gives a workload another private key in the place of its own; the old one is good until it is retired',
    async ({ jwksFile, keyFile }) => {
      const { workload, kid, old } = await rotateWorkloadKey({ jwksFile, keyFile })
      print(`${kid} is the key of ${workload}`)
      print(`in two minutes: gatehouse workload-keys retire ${old} --jwks ${jwksFile}`)
    },
  ),
  command(
    'workload-keys retire',
    'KID [--last] --jwks FILE',
    'takes a public key out of the JWKS: its tokens are refused within a second; --last also where it is the only one of its workload',
    async ({ words: [kid = ''], jwksFile, last }) =>
      print(`${kid} of ${await retireWorkloadKey(jwksFile, kid, { last })} is trusted no more`),
  ),
  command('workload-keys list', '--jwks FILE', 'lists the public keys of the workloads', async ({ jwksFile }) => {
    for (const { kid, workload } of await listWorkloadKeys(jwksFile)) print(`${kid}\t${workload}`)
  }),
]
