// Sections with headings, shown one at a time. Without this module they stand below each other.
import { el } from '../dom.js'

/** The tab that a key leads to from `index` of `count`, or null for a key that is not for tabs. */
export function target(key, index, count) {
  if (key === 'ArrowRight') return (index + 1) % count
  if (key === 'ArrowLeft') return (index + count - 1) % count
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  return null
}

export function mount(element) {
  const panels = [...element.querySelectorAll('[data-tab]')]
  if (panels.length < 2) return
  const heading = element.querySelector('h2')
  const list = el('div', { class: 'tabs', role: 'tablist', 'aria-labelledby': heading?.id })
  const tabs = panels.map((panel, index) => tabFor(panel, `${heading?.id ?? 'tab'}-${index}`))
  list.append(...tabs)
  panels[0].before(list)

  const select = (index, focus) => {
    for (const [at, tab] of tabs.entries()) {
      tab.setAttribute('aria-selected', String(at === index))
      tab.tabIndex = at === index ? 0 : -1
      panels[at].hidden = at !== index
    }
    if (focus) tabs[index].focus()
  }
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => select(index, false))
    tab.addEventListener('keydown', (event) => {
      const next = target(event.key, index, tabs.length)
      if (next === null) return
      event.preventDefault()
      select(next, true)
    })
  }
  select(0, false)
}

function tabFor(panel, id) {
  panel.id = `${id}-panel`
  panel.setAttribute('role', 'tabpanel')
  panel.setAttribute('aria-labelledby', id)
  panel.querySelector('[data-tab-name]')?.setAttribute('hidden', '')
  return el('button', { class: 'tab', type: 'button', role: 'tab', id, 'aria-controls': panel.id }, panel.dataset.tab)
}
