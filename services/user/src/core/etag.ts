import type { UserRow } from '../store/users.ts'

/** The version in a form that nobody mistakes for a number to count with. */
export const etagOf = ({ version }: Pick<UserRow, 'version'>): string => `v${version.toString(36)}`
