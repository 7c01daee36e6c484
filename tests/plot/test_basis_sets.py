"""The picture of a basis set."""

import matplotlib.pyplot as plt

import mrsproc as mp


def test_basis(synthetic):
    ax = mp.plot.basis(synthetic.basis)
    assert len(ax.get_lines()) == len(synthetic.basis)
    assert [text.get_text() for text in ax.texts] == list(synthetic.basis.names)
    assert ax.get_xlim() == (4.4, 0.2)
    row = synthetic.basis.index("NAA")
    line = ax.get_lines()[row]
    assert abs(line.get_xdata()[line.get_ydata().argmax()] - 2.008) < 0.01
    plt.close("all")
