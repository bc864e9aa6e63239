/** Codes that are shown this once. */
export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  return (
    <div role="status" className="codes">
      <p>
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
      <button type="button" className="quiet" onClick={onKept}>
        I have kept them
      </button>
    </div>
  )
}
