import { Page } from '../../parts/page.tsx'

const sentences: Readonly<Record<string, string>> = {
  invalid_client: 'The app that sent you here is not known here, or is switched off.',
  invalid_redirect_uri: 'The app wants its answer at an address that is not registered for it, so nothing was sent there.',
  server_error: 'Something broke on our side. Please try again in a while.',
  temporarily_unavailable: 'We cannot answer right now. Please try again in a while.',
}

interface ErrorPageProps {
  readonly error: string
  readonly description: string | null
  readonly traceId: string | null
}

/** What cannot be told to the client, because it is not known where that would go. A sentence for the person, the facts for whoever runs the app. */
export function ErrorPage({ error, description, traceId }: ErrorPageProps) {
  return (
    <Page title="That did not work">
      <p role="alert">{sentences[error] ?? 'The app that sent you here asked for something that cannot be answered, or too late.'}</p>
      <p>Nothing of yours was passed on. Go back to the app and begin again. If it stays like this, show this to whoever runs the app:</p>
      <dl className="facts">
        <dt>Error</dt>
        <dd>
          <code>{error}</code>
        </dd>
        {description !== null && (
          <>
            <dt>Description</dt>
            <dd>{description}</dd>
          </>
        )}
        {traceId !== null && (
          <>
            <dt>Trace</dt>
            <dd>
              <code>{traceId}</code>
            </dd>
          </>
        )}
      </dl>
    </Page>
  )
}
