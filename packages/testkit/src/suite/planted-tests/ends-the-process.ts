import { test } from 'node:test'

test('takes all with it', () => process.exit(3))
