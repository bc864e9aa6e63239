import { useEffect, useRef, useState } from 'react'
import { recoverySheet } from './recovery-sheet.ts'

/** Codes that are shown this once: to be copied, downloaded or printed, and put away. */
export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const [told, setTold] = useState('')
  const title = useRef<HTMLParagraphElement>(null)
  // Whoever made them is brought to them, wherever on the page the button was.
  useEffect(() => title.current?.focus(), [])
  async function copy() {
    try {
      await navigator.clipboard.writeText(codes.join('\n'))
      setTold('Copied.')
    } catch {
      setTold('This browser does not let us copy. Please select them, or download them.')
    }
  }
  return (
    <div className="codes">
      <p ref={title} tabIndex={-1}>
        <strong>Keep these recovery codes.</strong> Each signs you in once when the device with your passkey or app is gone. They are not
        shown again.
      </p>
      <ul>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="acts">
        <button type="button" className="quiet" onClick={() => void copy()}>
          Copy
        </button>
        <a className="quiet" href={recoverySheet(codes)} download="recovery-codes.txt">
          Download
        </a>
        <button type="button" className="quiet" onClick={() => print()}>
          Print
        </button>
      </div>
      <p role="status" className="told">
        {told}
      </p>
      <button type="button" className="main" onClick={onKept}>
        I have kept them
      </button>
    </div>
  )
}
