import type { ReactNode } from 'react'

interface PlainFormProps {
  readonly action: string
  /** What the library keeps against forged forms. */
  readonly xsrf: string
  readonly children: ReactNode
  readonly onSubmit?: (pressed: string) => void
}

/** A form that the browser posts by itself: the answer is the next page, here or at the client. */
export function PlainForm({ action, xsrf, children, onSubmit }: PlainFormProps) {
  return (
    <form
      method="post"
      action={action}
      className="posted"
      onSubmit={({ nativeEvent }) => {
        const { submitter } = nativeEvent as SubmitEvent
        onSubmit?.(submitter instanceof HTMLButtonElement ? submitter.name : '')
      }}
    >
      <input type="hidden" name="xsrf" value={xsrf} />
      {children}
    </form>
  )
}
