import { useEffect, useState } from 'react'

/**
 * The token of the link that opened this page. It stands behind the `#`, so that it reaches no server by itself, and leaves the address bar at once,
 * so that it stays out of history and screenshots.
 */
export function useLinkToken(): string {
  const [token, setToken] = useState(() => new URLSearchParams(location.hash.slice(1)).get('token') ?? '')
  useEffect(() => {
    const take = () => {
      const fresh = new URLSearchParams(location.hash.slice(1)).get('token')
      if (fresh === null) return
      setToken(fresh)
      history.replaceState(history.state, '', location.pathname)
    }
    take()
    addEventListener('hashchange', take)
    return () => removeEventListener('hashchange', take)
  }, [])
  return token
}
