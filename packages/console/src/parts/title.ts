import { type RefObject, useEffect, useRef } from 'react'

/** Names the window, and tells screen readers when the page comes: its heading gets the focus. */
export function useTitle(title: string): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Gatehouse`
    heading.current?.focus()
  }, [title])
  return heading
}
