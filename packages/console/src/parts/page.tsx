import { type ReactNode, useEffect, useRef } from 'react'

/** One page: its title is told to screen readers when it comes. */
export function Page({ title, children, wide = false }: { title: string; children: ReactNode; wide?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Gatehouse`
    heading.current?.focus()
  }, [title])
  return (
    <section className={wide ? 'card wide' : 'card'}>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </section>
  )
}
