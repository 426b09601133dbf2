//! The upper concave hull of points: what drawing between thresholds can reach.

/// A vertex, with the number of its point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vertex {
    pub x: f64,
    pub y: f64,
    pub of: usize,
}

/// The upper concave hull of points.
#[derive(Debug, Clone)]
pub(super) struct Hull {
    pub vertices: Vec<Vertex>,
}

/// A place on a hull: between two of its vertices, and how much of the second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub left: Vertex,
    pub right: Vertex,
    pub share: f64,
    pub y: f64,
}

impl Hull {
    /// Of points with ascending x.
    pub(super) fn new(points: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut vertices: Vec<Vertex> = Vec::new();
        for (of, (x, y)) in points.enumerate() {
            if let Some(last) = vertices.last().copied()
                && last.x >= x
            {
                if last.y >= y {
                    continue;
                }
                vertices.pop();
            }
            while let [.., a, b] = vertices[..]
                && (b.x - a.x) * (y - a.y) >= (b.y - a.y) * (x - a.x)
            {
                vertices.pop();
            }
            vertices.push(Vertex { x, y, of });
        }
        Self { vertices }
    }

    /// The hull at x, which must lie between its first and last point; at the nearer of these otherwise.
    pub(super) fn at(&self, x: f64) -> Place {
        let after = self.vertices.partition_point(|vertex| vertex.x < x);
        let right = self.vertices[after.min(self.vertices.len() - 1)];
        let left = self.vertices[after.saturating_sub(1)];
        if after == 0 || after == self.vertices.len() || right.x == x {
            return Place { left: right, right, share: 0.0, y: right.y };
        }
        let share = (x - left.x) / (right.x - left.x);
        Place { left, right, share, y: left.y + share * (right.y - left.y) }
    }

    /// Its highest vertex; the first of several.
    pub(super) fn top(&self) -> Vertex {
        let mut top = self.vertices[0];
        for vertex in &self.vertices {
            if vertex.y > top.y {
                top = *vertex;
            }
        }
        top
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lies_above_all_points() {
        let points = [(0.0, 0.0), (0.0, 1.0), (0.25, 1.0), (0.5, 3.0), (0.75, 2.9), (1.0, 2.0)];
        let hull = Hull::new(points.into_iter());
        assert_eq!(hull.vertices.iter().map(|vertex| vertex.of).collect::<Vec<_>>(), [1, 3, 4, 5]);
        assert!(points.iter().all(|(x, y)| hull.at(*x).y >= *y));
        let place = hull.at(0.25);
        assert_eq!((place.y, place.share, hull.top().x), (2.0, 0.5, 0.5));
        assert_eq!((hull.at(0.0).y, hull.at(1.0).y), (1.0, 2.0));
    }
}
