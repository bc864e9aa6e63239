import type { Language } from '../mail/languages.ts'

/** What people are told in the application. */
export const inboxKinds = [
  'welcome',
  'signed_in',
  'password_changed',
  'factor_added',
  'factor_removed',
  'identity_linked',
  'identity_unlinked',
  'recovery_codes_made',
  'recovery_code_used',
  'email_changed',
  'session_ended',
  'suspicious_activity',
] as const

export type InboxKind = (typeof inboxKinds)[number]

export interface InboxText {
  readonly title: string
  readonly body: string
}

const texts: Readonly<Record<Language, Readonly<Record<InboxKind, InboxText>>>> = {
  en: {
    welcome: { title: 'Welcome', body: 'Your account is ready. What happens to it is told here.' },
    signed_in: {
      title: 'New sign-in',
      body: 'You signed in. If this was not you, end the session in the list of your sessions and change your password.',
    },
    password_changed: {
      title: 'Password changed',
      body: 'Your password was changed. If this was not you, set a new one at once and end the sessions that you do not know.',
    },
    factor_added: {
      title: 'New way to sign in',
      body: 'A passkey or an authenticator app was added. If this was not you, remove it, set a new password and end the sessions that you do not know.',
    },
    factor_removed: {
      title: 'Way to sign in removed',
      body: 'A passkey, an authenticator app or recovery codes were removed. If this was not you, set a new password and end the sessions that you do not know.',
    },
    identity_linked: {
      title: 'Sign-in connected',
      body: 'An account at another provider was connected: whoever signs in there gets in here. If this was not you, disconnect it, set a new password and end the sessions that you do not know.',
    },
    identity_unlinked: {
      title: 'Sign-in disconnected',
      body: 'An account at another provider was disconnected and opens yours no more. If this was not you, set a new password and end the sessions that you do not know.',
    },
    recovery_codes_made: {
      title: 'New recovery codes',
      body: 'New recovery codes were made; those from before no longer work. If this was not you, make new ones and set a new password.',
    },
    recovery_code_used: {
      title: 'Recovery code used',
      body: 'A recovery code was used. If this was not you, set a new password, make new codes and end the sessions that you do not know.',
    },
    email_changed: { title: 'E-mail address changed', body: 'Your account has a new e-mail address. The old one was told.' },
    session_ended: {
      title: 'Session ended for your safety',
      body: 'A session was used from two places at once, so we ended it. If you cannot explain that, change your password.',
    },
    suspicious_activity: {
      title: 'Was this you?',
      body: 'Something about your account was unusual; the mail that we sent you says what. If it was not you, its link locks your account.',
    },
  },
  de: {
    welcome: { title: 'Willkommen', body: 'Ihr Konto ist bereit. Was mit ihm geschieht, erfahren Sie hier.' },
    signed_in: {
      title: 'Neue Anmeldung',
      body: 'Sie haben sich angemeldet. Wenn Sie das nicht waren, beenden Sie die Sitzung in der Liste Ihrer Sitzungen und ändern Sie Ihr Passwort.',
    },
    password_changed: {
      title: 'Passwort geändert',
      body: 'Ihr Passwort wurde geändert. Wenn Sie das nicht waren, setzen Sie sofort ein neues und beenden Sie die Sitzungen, die Sie nicht kennen.',
    },
    factor_added: {
      title: 'Neuer Weg zur Anmeldung',
      body: 'Ein Passkey oder eine Authenticator-App wurde hinzugefügt. Wenn Sie das nicht waren, entfernen Sie ihn, setzen Sie ein neues Passwort und beenden Sie die Sitzungen, die Sie nicht kennen.',
    },
    factor_removed: {
      title: 'Weg zur Anmeldung entfernt',
      body: 'Ein Passkey, eine Authenticator-App oder Wiederherstellungscodes wurden entfernt. Wenn Sie das nicht waren, setzen Sie ein neues Passwort und beenden Sie die Sitzungen, die Sie nicht kennen.',
    },
    identity_linked: {
      title: 'Anmeldung verbunden',
      body: 'Ein Konto bei einem anderen Anbieter wurde verbunden: Wer sich dort anmeldet, kommt hier herein. Wenn Sie das nicht waren, trennen Sie es, setzen Sie ein neues Passwort und beenden Sie die Sitzungen, die Sie nicht kennen.',
    },
    identity_unlinked: {
      title: 'Anmeldung getrennt',
      body: 'Ein Konto bei einem anderen Anbieter wurde getrennt und öffnet das Ihre nicht mehr. Wenn Sie das nicht waren, setzen Sie ein neues Passwort und beenden Sie die Sitzungen, die Sie nicht kennen.',
    },
    recovery_codes_made: {
      title: 'Neue Wiederherstellungscodes',
      body: 'Neue Wiederherstellungscodes wurden erzeugt, die bisherigen gelten nicht mehr. Wenn Sie das nicht waren, erzeugen Sie neue und setzen Sie ein neues Passwort.',
    },
    recovery_code_used: {
      title: 'Wiederherstellungscode benutzt',
      body: 'Ein Wiederherstellungscode wurde benutzt. Wenn Sie das nicht waren, setzen Sie ein neues Passwort, erzeugen Sie neue Codes und beenden Sie die Sitzungen, die Sie nicht kennen.',
    },
    email_changed: { title: 'E-Mail-Adresse geändert', body: 'Ihr Konto hat eine neue E-Mail-Adresse. Die alte wurde benachrichtigt.' },
    session_ended: {
      title: 'Sitzung zu Ihrer Sicherheit beendet',
      body: 'Eine Sitzung wurde von zwei Stellen zugleich benutzt, darum haben wir sie beendet. Wenn Sie sich das nicht erklären können, ändern Sie Ihr Passwort.',
    },
    suspicious_activity: {
      title: 'Waren Sie das?',
      body: 'Mit Ihrem Konto geschah Ungewöhnliches; was, steht in der E-Mail, die wir Ihnen geschickt haben. Wenn Sie das nicht waren, sperrt ihr Link Ihr Konto.',
    },
  },
}

/** The words for a kind. One that this version does not know, written by a newer one, is told by its bare name. */
export function inboxText(kind: string, language: Language): InboxText {
  const known = inboxKinds.find((each) => each === kind)
  return known ? texts[language][known] : { title: kind.replaceAll('_', ' '), body: '' }
}
