/** What went wrong with a page or a part of one; nothing where nothing did. It is there before, so that screen readers hear what comes. */
export function Problem({ children }: { children: string }) {
  return (
    <p role="alert" className={children === '' ? 'alert none' : 'alert'}>
      {children}
    </p>
  )
}
