import type { PlantedFault } from './planted-fault.ts'

export const requestWithoutResult: PlantedFault = {
  name: 'request-without-result',
  mistake: 'a request_id is kept without the result that it had',
  scenario: 'kill-services',
  rules: ['request-ids'],
  edits: [
    {
      file: 'packages/postgres/src/once.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a template.
      find: '  await sql`update requests set result_id = ${id}\n',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the same.
      replace: '  if (id === undefined) await sql`update requests set result_id = ${id}\n',
    },
  ],
}
