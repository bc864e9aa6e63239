import type { RoleRow } from '../../store/roles.ts'

/** The version in a form that nobody mistakes for a number to count with. */
export const etagOf = ({ version }: Pick<RoleRow, 'version'>): string => `v${version.toString(36)}`
