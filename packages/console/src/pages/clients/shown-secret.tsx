import { useEffect, useRef, useState } from 'react'

/** A secret that nobody can ask for again. */
export function ShownSecret({ clientId, secret, onKept }: { clientId: string; secret: string; onKept: () => void }) {
  const heading = useRef<HTMLParagraphElement>(null)
  const [told, setTold] = useState('')
  useEffect(() => heading.current?.focus(), [])
  async function copy() {
    await navigator.clipboard.writeText(secret)
    setTold('Copied.')
  }
  return (
    <div className="codes">
      <p ref={heading} tabIndex={-1}>
        <strong>Keep the secret of {clientId}.</strong> It is shown this once.
      </p>
      <p>
        <code className="address">{secret}</code>
      </p>
      <div className="acts">
        <button type="button" className="quiet" onClick={() => void copy()}>
          Copy
        </button>
      </div>
      <p role="status" className="told">
        {told}
      </p>
      <button type="button" className="main" onClick={onKept}>
        I have kept it
      </button>
    </div>
  )
}
