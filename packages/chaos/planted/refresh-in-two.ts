import type { PlantedFault } from './planted-fault.ts'

const file = 'services/auth/src/store/rotate-refresh-tokens.ts'

export const refreshInTwo: PlantedFault = {
  name: 'refresh-in-two',
  mistake: 'a refresh token is used up in one transaction, and its successor written in another',
  scenario: 'kill-services',
  rules: ['refresh-chain'],
  edits: [
    {
      file,
      find: `    successors as (
      insert into refresh_tokens (tenant, token_hash, session_id, create_time)
      select tenant, successor_hash, session_id, time from used_up)`,
      replace: '    nothing as (select 1)',
    },
    {
      file,
      find: '  const rows = await rotate(db, rotations)\n',
      replace: `  const rows = await rotate(db, rotations)
  for (const { tenant, token_hash } of rows)
    await sql\`insert into refresh_tokens (tenant, token_hash, session_id, create_time)
      select tenant, successor_hash, session_id, use_time from refresh_tokens where tenant = \${tenant} and token_hash = \${token_hash}\`.execute(db)
`,
    },
  ],
}
