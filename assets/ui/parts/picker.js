// Choosing several pictures of a listing: the count, all at once, a range with Shift.

/** What the count says. */
export function countText(chosen, total) {
  return chosen === total && total > 1 ? `All ${total} selected` : `${chosen} selected`
}

/** The indexes from one to the other, whichever comes first. */
export function range(from, to) {
  const first = Math.min(from, to)
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, step) => first + step)
}

export function mount(form) {
  const boxes = [...form.querySelectorAll('input[name="id"]')]
  const count = form.querySelector('[data-count]')
  const all = form.querySelector('[data-all]')
  let last = null

  const refresh = () => {
    const chosen = boxes.filter((box) => box.checked).length
    if (chosen) count.textContent = countText(chosen, boxes.length)
    all.hidden = boxes.length < 2 || chosen === boxes.length
  }
  for (const [index, box] of boxes.entries()) {
    box.addEventListener('click', (event) => {
      if (event.shiftKey && last !== null) {
        for (const at of range(last, index)) boxes[at].checked = box.checked
      }
      last = index
      refresh()
    })
  }
  all.addEventListener('click', () => {
    for (const box of boxes) box.checked = true
    refresh()
  })
  // The boxes are empty only after the event.
  form.addEventListener('reset', () => setTimeout(refresh))
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') form.reset()
  })
  // A page that comes back from history keeps its ticks.
  window.addEventListener('pageshow', refresh)
  refresh()
}
