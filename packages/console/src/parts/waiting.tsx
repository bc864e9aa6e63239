export function Waiting() {
  return (
    <p role="status" className="waiting">
      One moment …
    </p>
  )
}
