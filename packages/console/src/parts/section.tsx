import { type ReactNode, type RefObject, useId } from 'react'

interface SectionProps {
  readonly title: string
  readonly children: ReactNode
  readonly wide?: boolean
  /** To take the focus to, where what had it is gone. */
  readonly heading?: RefObject<HTMLHeadingElement | null>
}

/** One of several cards of a page. It comes without a word, and takes no focus from whoever types in another one. */
export function Section({ title, children, heading, wide = false }: SectionProps) {
  const id = useId()
  return (
    <section className={wide ? 'card wide' : 'card'} aria-labelledby={id}>
      <h2 ref={heading} id={id} tabIndex={-1}>
        {title}
      </h2>
      {children}
    </section>
  )
}
