import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface OpenedPage {
  readonly page: Page
  /** Whatever the page complained of. */
  readonly complaints: string[]
  readonly context: BrowserContext
}

/** A window of its own, or one more in a context. Whatever the page complains of is part of the story. */
export async function openPage(browser: Browser, url: string, context?: BrowserContext): Promise<OpenedPage> {
  const own = context ?? (await browser.newContext())
  const page = await own.newPage()
  page.setDefaultTimeout(20_000)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (400|401|403|429)/.test(message.text())) complaints.push(message.text())
  })
  await page.goto(url)
  return { page, complaints, context: own }
}

/** Pictures for whoever wants to look, on a desk and on a phone: GATEHOUSE_SCREENSHOTS names a folder. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.GATEHOUSE_SCREENSHOTS
  if (folder === undefined) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
  const size = page.viewportSize()
  await page.setViewportSize({ width: 360, height: 800 })
  await page.screenshot({ path: join(folder, `${name}-phone.png`), fullPage: true })
  if (size) await page.setViewportSize(size)
}

/** Nothing runs over the edge of the page or of a card, on a small phone and on a small desk. */
export async function runsOverNowhere(page: Page): Promise<void> {
  const size = page.viewportSize()
  for (const width of [360, 1000]) {
    await page.setViewportSize({ width, height: 900 })
    const wider = `[document.documentElement, ...document.querySelectorAll('main, section, .codes, .codes ul, .codes li, .ask')]
      .filter((each) => each.scrollWidth > each.clientWidth)
      .map((each) => each.localName + ' ' + each.className + ': ' + each.scrollWidth + ' in ' + each.clientWidth)`
    assert.deepEqual(await page.evaluate(wider), [], `at ${width} px`)
  }
  if (size) await page.setViewportSize(size)
}

/** No rule of accessibility is broken on the page as it is. */
export async function findNoBarriers(page: Page): Promise<void> {
  // The page's own policy lets no script in; the debugger may.
  await page.evaluate(axe)
  const { violations } = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")) as {
    violations: { id: string; nodes: { html: string }[] }[]
  }
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
    [],
  )
}
