import { type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { Form } from './form.tsx'

interface AskFirstProps {
  /** What the button says that asks. */
  readonly ask: string
  /** And the one that does it. */
  readonly action: string
  /** What it comes to. */
  readonly children: ReactNode
  readonly onConfirm: () => Promise<void>
  readonly danger?: boolean
  readonly sentences?: Readonly<Record<string, string>>
}

/** A button whose act cannot be undone: it says what that comes to, and asks once more. */
export function AskFirst({ ask, action, children, onConfirm, danger = false, sentences = {} }: AskFirstProps) {
  const [asking, setAsking] = useState(false)
  const opener = useRef<HTMLButtonElement>(null)
  const question = useRef<HTMLParagraphElement>(null)
  const cancelled = useRef(false)
  const id = useId()
  useEffect(() => {
    if (asking) question.current?.focus()
    else if (cancelled.current) opener.current?.focus()
  }, [asking])
  if (!asking)
    return (
      <button ref={opener} type="button" className="quiet whole" onClick={() => setAsking(true)}>
        {ask}
      </button>
    )
  function cancel() {
    cancelled.current = true
    setAsking(false)
  }
  async function confirm() {
    await onConfirm()
    cancelled.current = false
    setAsking(false)
  }
  return (
    <fieldset aria-labelledby={id} className="ask" onKeyDown={({ key }) => key === 'Escape' && cancel()}>
      <Form action={action} danger={danger} sentences={sentences} onSubmit={confirm}>
        <p ref={question} id={id} tabIndex={-1}>
          {children}
        </p>
      </Form>
      <button type="button" className="quiet whole" onClick={cancel}>
        Cancel
      </button>
    </fieldset>
  )
}
