import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { contractPage } from './contract-page.ts'
import { openApi } from './openapi.ts'
import { readContracts } from './read-contracts.ts'

/** Writes what people read of the contracts into `fresh`: the OpenAPI document and the page of the contract. */
export function writeDocuments(root: string, fresh: string): void {
  const contracts = readContracts(root, fresh)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  mkdirSync(join(fresh, 'docs'), { recursive: true })
  mkdirSync(join(fresh, 'packages/contracts'), { recursive: true })
  writeFileSync(join(fresh, 'packages/contracts/openapi.json'), `${visible(JSON.stringify(openApi(contracts, version), null, 2))}\n`)
  writeFileSync(join(fresh, 'docs/contract.md'), contractPage(contracts))
}

/** The same JSON without characters that nobody sees or that turn the text around: patterns are made of them. */
function visible(json: string): string {
  return json.replace(/[^\P{C}\n]|[^\P{Z} ]/gu, (text) =>
    [...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  )
}
