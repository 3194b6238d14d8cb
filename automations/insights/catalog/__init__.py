"""The catalogue of key figures, and the dashboard that is made of them."""

from automations.insights.catalog.board import Board, Tile, board, tile
from automations.insights.catalog.kpis import KPIS, Kpi, kpi

__all__ = ["KPIS", "Board", "Kpi", "Tile", "board", "kpi", "tile"]
