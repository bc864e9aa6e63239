const rules: Readonly<Record<string, string>> = {
  length: 'Please take more characters (and no more than 256). A sentence is easy to remember.',
  common: 'This password is known to be used by many. Please take another.',
  breached: 'This password is known from a breach: it was stolen somewhere and published. Please take another.',
  context: 'This password can be guessed from your name, your address or ours. Please take another.',
  characters: 'This password contains characters that cannot be typed again. Please take another.',
}

/** Hint under every field for a new password. */
export const passwordHint = '15 characters or more of any kind. A sentence is fine.'

function sentenceFor({ rule = '' }: Readonly<Record<string, string>>): string {
  return rules[rule] ?? 'This password is not strong enough.'
}

/** What a form with a new password says when it was refused, by the rule that it broke. */
export const weakPassword = { PASSWORD_TOO_WEAK: sentenceFor }
