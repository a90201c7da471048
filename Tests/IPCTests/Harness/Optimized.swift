// Whether the tests are built with optimisation: what is computed at length can be ten times as long then.

let isOptimized: Bool = {
    var isChecked = false
    assert({ isChecked = true }() == ())
    return !isChecked
}()
