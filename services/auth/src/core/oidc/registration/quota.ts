/** How many clients of a tenant may have registered themselves, where nothing else is said. */
export const defaultRegistrationQuota = 1_000
