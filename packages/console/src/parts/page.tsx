import type { ReactNode } from 'react'
import { useTitle } from './title.ts'

/** One page. */
export function Page({ title, children, wide = false }: { title: string; children: ReactNode; wide?: boolean }) {
  const heading = useTitle(title)
  return (
    <section className={wide ? 'card wide' : 'card'}>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </section>
  )
}
