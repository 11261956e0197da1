//! How large a drawing wants to be, from the attributes of its outermost element. Arithmetic only.

/// The size of a drawing that says nothing about it, as browsers have it.
const USUAL: (f64, f64) = (300.0, 150.0);

#[derive(Debug, Default)]
pub(super) struct Root {
    width: Option<f64>,
    height: Option<f64>,
    view: Option<(f64, f64)>,
}

impl Root {
    pub(super) fn note(&mut self, name: &str, value: &str) {
        match name {
            "width" => self.width = length(value),
            "height" => self.height = length(value),
            "viewBox" => {
                let numbers: Vec<f64> = value
                    .split(|c: char| c == ',' || c.is_whitespace())
                    .filter(|word| !word.is_empty())
                    .map_while(|word| word.parse().ok())
                    .collect();
                if let [_, _, width, height] = numbers[..] {
                    self.view = Some((width, height)).filter(|(w, h)| is_side(*w) && is_side(*h));
                }
            }
            _ => {}
        }
    }

    /// Width and height in pixels; nothing if one of them is none.
    pub(super) fn size(&self) -> Option<(f64, f64)> {
        let (wide, tall) = self.view.unwrap_or(USUAL);
        let size = match (self.width, self.height) {
            (Some(width), Some(height)) => (width, height),
            (Some(width), None) => (width, width * tall / wide),
            (None, Some(height)) => (height * wide / tall, height),
            (None, None) => (wide, tall),
        };
        (is_side(size.0) && is_side(size.1)).then_some(size)
    }
}

fn is_side(length: f64) -> bool {
    length.is_finite() && length > 0.0
}

/// A length in pixels. A share of the window counts as none.
fn length(text: &str) -> Option<f64> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E');
    let unit_at = unit_at.or_else(|| text.find('%')).unwrap_or(text.len());
    // `2em` must not be taken for a number with an exponent.
    let (number, unit) = match text.find("em").or_else(|| text.find("ex")) {
        Some(at) => text.split_at(at),
        None => text.split_at(unit_at),
    };
    let in_pixels = match unit.trim() {
        "" | "px" => 1.0,
        "pt" => 96.0 / 72.0,
        "pc" => 16.0,
        "mm" => 96.0 / 25.4,
        "cm" => 96.0 / 2.54,
        "in" => 96.0,
        "em" => 12.0,
        "ex" => 6.0,
        _ => return None,
    };
    number.trim().parse::<f64>().ok().map(|number| number * in_pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(attributes: &[(&str, &str)]) -> Option<(f64, f64)> {
        let mut root = Root::default();
        attributes.iter().for_each(|(name, value)| root.note(name, value));
        root.size()
    }

    #[test]
    fn sizes_come_from_lengths_or_from_the_view() {
        assert_eq!(size(&[]), Some((300.0, 150.0)));
        assert_eq!(size(&[("width", "20"), ("height", "1e1px")]), Some((20.0, 10.0)));
        assert_eq!(size(&[("width", "1in"), ("height", "72pt")]), Some((96.0, 96.0)));
        assert_eq!(size(&[("width", "2em"), ("height", "1ex")]), Some((24.0, 6.0)));
        assert_eq!(size(&[("viewBox", "0 0 24 12")]), Some((24.0, 12.0)));
        assert_eq!(size(&[("viewBox", "0,0,24,12"), ("width", "100%")]), Some((24.0, 12.0)));
        assert_eq!(size(&[("viewBox", "0 0 24 12"), ("width", "48")]), Some((48.0, 24.0)));
        assert_eq!(size(&[("width", "0"), ("height", "5")]), None);
        assert_eq!(size(&[("width", "1e999"), ("height", "5")]), None);
        assert_eq!(size(&[("width", "-3"), ("height", "5")]), None);
        assert_eq!(size(&[("viewBox", "0 0 0 NaN")]), Some((300.0, 150.0)));
    }
}
